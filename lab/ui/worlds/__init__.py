"""The Tiny worlds tab: a sub-tab a world, each made from the world's own settings, curves and presets."""
