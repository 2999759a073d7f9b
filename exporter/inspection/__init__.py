"""What `check --live` measures: whether an account can be watched as it is configured."""
