"""What one scrape costs: this exporter beside its peers, and beside a response that is ready."""
