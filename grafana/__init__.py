"""Dashboards and provisioning for Grafana, and the code that writes them."""
