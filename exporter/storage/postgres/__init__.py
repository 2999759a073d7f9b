"""The ledgers in PostgreSQL, shared by any number of replicas: each account is one replica's."""
