"""The home screen: a header and five panes, one module each."""
