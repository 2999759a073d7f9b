"""Recent tasks of the accounts, read for a person who looks at them now."""
