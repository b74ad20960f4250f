"""Parts of the page that gradio lacks. Each docstring says how to use it; `lab.ui.theme` has the style."""
