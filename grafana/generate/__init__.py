"""Writes grafana/dashboards/ and grafana/provisioning/alerting/ from code and from the rules."""
