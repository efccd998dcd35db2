"""A clock on a screen that a card films back: the delay from glass to overlay."""
