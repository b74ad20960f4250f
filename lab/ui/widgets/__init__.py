"""Parts of the page that gradio does not have. Each says in its docstring how it is used; their style is in `lab.ui.theme`."""
