"""Chat templates of the kinds there are, shortened from those of the models named."""

# SmolLM2 and Qwen2.5: a default system prompt
CHATML_DEFAULT = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# Llama 3.2: begins with BOS, trims, writes the day's date
LLAMA3 = (
    "{% if not date_string is defined %}{% set date_string = strftime_now('%d %b %Y') %}{% endif %}"
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{% set system = messages[0]['content']|trim %}"
    "{% set messages = messages[1:] %}{% else %}{% set system = '' %}{% endif %}"
    "<|im_start|>system\n\nToday Date: {{ date_string }}\n\n{{ system }}<|im_end|>"
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n\n{{ message['content']|trim }}"
    "<|im_end|>{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n\n{% endif %}"
)
_ALTERNATES = (
    "{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
)
# Gemma: no system role, says so by raising; "model" instead of "assistant"
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}"
    + _ALTERNATES
    + "<|im_start|>{{ 'model' if message['role'] == 'assistant' else message['role'] }}\n"
    "{{ message['content'] | trim }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>model\n{% endif %}"
)
# Mistral v0.3: the system message stands before the last user message
MISTRAL = (
    "{% if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] %}"
    "{% set messages = messages[1:] %}{% endif %}{{ bos_token }}"
    + _ALTERNATES
    + "{% if message['role'] == 'user' %}"
    "[INST] {% if loop.last and system is defined %}{{ system + '\n\n' }}{% endif %}"
    "{{ message['content'] }}[/INST]"
    "{% else %} {{ message['content'] }}<|im_end|>{% endif %}{% endfor %}"
)
# Mistral v0.1: alternates, and has no place for a system message
MISTRAL_OLD = (
    "{{ bos_token }}"
    + _ALTERNATES
    + "{% if message['role'] == 'user' %}[INST] {{ message['content'] }} [/INST]"
    "{% else %}{{ message['content'] }}<|im_end|>{% endif %}{% endfor %}"
)
# A template that only looks at user and assistant, and drops a system message without a word
DROPS_SYSTEM = (
    "{% for message in messages %}{% if message['role'] == 'user' %}Human: {{ message['content'] }}\n"
    "{% elif message['role'] == 'assistant' %}Bot: {{ message['content'] }}\n{% endif %}{% endfor %}Bot:"
)
# Thinks before it answers unless it is told not to, after Qwen3's.
THINKING = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n"
    "{% endif %}{% endif %}"
)
# A template that shouts
SHOUTS = "{% for message in messages %}{{ message['content'] | upper }}\n{% endfor %}"

ALL = {
    "chatml": CHATML_DEFAULT,
    "llama3": LLAMA3,
    "gemma": GEMMA,
    "mistral": MISTRAL,
    "mistral_old": MISTRAL_OLD,
    "drops_system": DROPS_SYSTEM,
    "thinking": THINKING,
    "plain": None,
}
