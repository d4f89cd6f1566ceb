"""A group of people in a room rates itself, honestly and anonymously, and leaves with a plan."""

__version__ = "0.1.0"
