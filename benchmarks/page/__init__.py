"""How long the status page takes."""
