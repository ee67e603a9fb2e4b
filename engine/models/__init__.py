"""What is learned: one net a file, its configuration above its class; no net imports another."""
