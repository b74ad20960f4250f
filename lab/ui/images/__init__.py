"""The Image sets tab, a module for each of its inner tabs."""
