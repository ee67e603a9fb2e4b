"""Makes the pictures of docs/images/ again, with the real window and a real Ardour on screens of their own."""
