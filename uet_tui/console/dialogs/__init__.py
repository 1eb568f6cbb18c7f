"""Questions and explanations that lie over a screen: each is one modal screen that hands back one typed answer."""
