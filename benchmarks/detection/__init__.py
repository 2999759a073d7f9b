"""Whether the right person is woken, once, in time: the alert rules over simulated weeks.

plan        which accounts, which incidents, and when
history     an account's weeks as the samples that Prometheus would have scraped
rules       the rule files, in the order in which they need each other
engine      Prometheus on loopback over the samples: every expression is evaluated by it
alerts      for and keep_firing_for, over what the engine answered
inhibition  what Alertmanager would hold back
controls    simpler rules, and no rules at all, over the same data
scoring     events counted: incidents found, pages that nothing called for
report      the table
agreement   the same alerts by promtool's own state machine, to the minute
calls_needed  how few calls are too few
"""
