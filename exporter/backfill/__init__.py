"""The past from the API's own history, as OpenMetrics with timestamps.

    request     what is asked for: from when to when, how closely
    spool       what has been read and worked out so far, on disk, so that it can be taken up again
    reading     the history of one app, read from the API into the spool
    course      a task as it probably was at a past moment: the API only tells how it is now
    replay      the tasks of an account in the order of time, as polls would have seen them
    lines       snapshots into lines, and all lines into one file
    work        all accounts, from the first request to the file
    progress    how far it is, for a person

Windows, ledger and the catalogue of metrics are those of the running exporter, so that names,
labels and rules cannot drift from what it publishes.
"""
