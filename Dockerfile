# The tag names Python's minor version and Debian's release and moves with their security fixes;
# everything that is installed on top is pinned by hash.
ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
# Two builds of the same sources are the same bytes: nothing compiled remembers when that was.
ARG SOURCE_DATE_EPOCH=315532800

# The requirements come first: they change more rarely than the code, and their layer is kept.
COPY requirements/build.txt requirements/run.txt requirements/
RUN pip install --require-hashes --requirement requirements/build.txt \
 && python -m venv --without-pip /opt/itnio-exporter \
 && pip --python /opt/itnio-exporter install --require-hashes --requirement requirements/run.txt

COPY pyproject.toml README.md LICENSE ./
COPY exporter exporter
RUN pip wheel --no-index --no-deps --no-build-isolation --wheel-dir dist . \
 && pip --python /opt/itnio-exporter install --no-index --no-deps dist/*.whl \
 && mkdir /data

# Nothing is run in this stage, and nothing that runs in the container needs a shell.
FROM ${BASE}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="itnio-exporter" \
      org.opencontainers.image.description="Prometheus exporter for AI-agent outbound voice campaigns run on the ITNIO voice API" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /opt/itnio-exporter /opt/itnio-exporter
# The state. A new volume takes this folder's owner, so that the exporter may write to it.
COPY --from=build --chown=10911:10911 /data /data
VOLUME /data
# The root file system may be read-only.
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# A number, so that Kubernetes can see that it is not root.
USER 10911:10911
WORKDIR /data
EXPOSE 10911
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
    CMD ["/opt/itnio-exporter/bin/python", "-m", "exporter.alive", "127.0.0.1:10911"]
ENTRYPOINT ["/opt/itnio-exporter/bin/itnio-exporter"]
CMD ["run", "--config.file=/etc/itnio-exporter/config.yaml", "--storage.path=/data"]
