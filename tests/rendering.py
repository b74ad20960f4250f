"""A small task rendered under any layout by any kind of template."""

from chat_templates import ALL
from tiny_models import tiny_tokenizer

from lab.prompts.layout import Layout
from lab.prompts.render import Prompt, demonstration_blocks, render
from lab.prompts.template import Template
from lab.tasks.task import Demonstration, Query, Task

LAYOUTS = ("none", "ssp", "esp", "sum", "eum", "eum+restated", "turns")
DEMOS = (
    Demonstration("p0", "The cup final", "Sports"),
    Demonstration("p1", "Shares fell", "Business"),
    Demonstration("p2", "end of start", "end"),  # its output stands in <|im_end|> too
)
QUERY = Query("q0", "A new phone", "Technology")
BLOCK = "Article: The cup final\nTopic: Sports\n\nArticle: Shares fell\nTopic: Business\n\n" + (
    "Article: end of start\nTopic: end"
)
TEMPLATES = {name: Template(tiny_tokenizer(text, bos="<s>")) for name, text in ALL.items()}


def task(instruction: str = "Name the topic.", labels=("Sports", "Business", "Technology", "end")) -> Task:
    return Task("t", "T", "classification", "label", instruction, "Article", "Topic", labels, DEMOS, (QUERY,))


def rendered(template: str | Template, layout: str, demos=DEMOS, query=QUERY, **choices) -> Prompt:
    template = TEMPLATES[template] if isinstance(template, str) else template
    which = task(**choices)
    return render(template, which, Layout.parse(layout), demonstration_blocks(which, demos), query)
