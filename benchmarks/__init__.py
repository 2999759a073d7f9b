"""What the documents quote figures from; each benchmark is one command."""
