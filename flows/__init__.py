"""The stories: the order of steps and waits, as the measures tell it."""
