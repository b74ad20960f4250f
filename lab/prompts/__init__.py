"""Prompts: `layout` says what stands where, `render` writes it, `tokens` counts it, `template` warns."""
