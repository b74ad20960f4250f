"""The page: Gradio, one thin module a tab, widgets, theme and links. No method lives here."""
