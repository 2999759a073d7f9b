"""What one process needs for so many accounts: requests, processor, memory, series, bytes."""
