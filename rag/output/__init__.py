"""What people and programs read: screens, JSON lines, the standard streams."""
