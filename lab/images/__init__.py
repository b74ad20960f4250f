"""Image sets: panels on one canvas, drawn by a diffusion transformer from one joint caption."""
