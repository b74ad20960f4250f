"""A hub on the loopback interface: folders of model files, in the protocol that huggingface_hub speaks.

Routes: `/api/models/{repo}[/revision/{rev}]`, `/api/models/{repo}/tree/{rev}` and
`/{repo}/resolve/{rev}/{file}`. A `.safetensors` is served as a large file: its ETag is its SHA-256. Every
repository has one commit, `COMMIT`.
"""

import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "c0ffee" + "0" * 34
_API = re.compile(r"/api/models/(?P<repo>[^/]+/[^/]+)(?P<what>/revision|/tree|)(/(?P<rev>[^/]+))?")
_RESOLVE = re.compile(r"/(?P<repo>[^/]+/[^/]+)/resolve/(?P<rev>[^/]+)/(?P<file>.+)")


class HubStandIn:
    """Serve a folder of `owner/name` folders; the attributes make it misbehave.

    Args:
        root: Holds the repositories; created where missing.
    """

    def __init__(self, root: Path) -> None:
        """Take a free port; requests are answered inside the with block."""
        root.mkdir(parents=True, exist_ok=True)
        self.root = root
        self.gated: set[str] = set()
        self.breaks_off_once: set[str] = set()  # file names whose first download stops half way
        self.breaks_off: set[str] = set()  # ... whose every download does, without a stated length
        self.garbles: set[str] = set()  # ... whose bytes arrive changed
        self.requests: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "HubStandIn":
        """Start to answer."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Stop to answer."""
        self.stop()

    def stop(self) -> None:
        """Close the port: from now on connections are refused."""
        self._server.shutdown()
        self._server.server_close()

    def downloads(self, ending: str) -> int:
        """Count the GETs of files with this ending."""
        return sum(
            line.startswith("GET") and "/resolve/" in line and line.endswith(ending) for line in self.requests
        )

    def files(self, repo: str) -> list[Path]:
        """List the files of a repository."""
        return sorted(path for path in (self.root / repo).rglob("*") if path.is_file())


def _handler(hub: HubStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            hub.requests.append(f"GET {self.path}")
            self._route()

        def do_HEAD(self) -> None:
            hub.requests.append(f"HEAD {self.path}")
            self._route()

        def log_message(self, *args: object) -> None:
            pass

        def _route(self) -> None:
            path = unquote(urlsplit(self.path).path)
            match = _API.fullmatch(path) or _RESOLVE.fullmatch(path)
            if match is None:
                return self._refuse(404, "EntryNotFound", "no such route")
            repo, asked = match["repo"], match["rev"]
            if not (hub.root / repo).is_dir():
                return self._refuse(404, "RepoNotFound", "Repository not found")
            if asked not in (None, "main", COMMIT):
                return self._refuse(404, "RevisionNotFound", "Invalid rev id")
            # The real hub shows a gated model's card to anyone and refuses its files.
            if "/resolve/" in path:
                if repo in hub.gated:
                    token = self.headers.get("Authorization")
                    return self._refuse(
                        403 if token else 401, "GatedRepo", f"Access to model {repo} is restricted"
                    )
                return self._send_file(hub.root / repo / match["file"])
            if match["what"] == "/tree":
                return self._send_json([_tree_entry(hub.root / repo, file) for file in hub.files(repo)])
            return self._send_json(_info(hub, repo))

        def _send_file(self, path: Path) -> None:
            if not path.is_file():
                return self._refuse(404, "EntryNotFound", "Entry not found")
            body = path.read_bytes()
            total, etag = len(body), _etag(path)
            if path.name in hub.garbles:
                body = bytes(byte ^ 1 for byte in body)
            headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
            if path.suffix == ".safetensors":
                headers |= {"X-Linked-ETag": f'"{etag}"', "X-Linked-Size": str(total)}
            status, start = 200, 0
            if wanted := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
                status, start = 206, int(wanted[1])
                headers["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
                body = body[start:]
            is_get = self.command == "GET"
            if is_get and path.name in hub.breaks_off:
                headers["Connection"] = "close"
                return self._answer(status, headers, body[: len(body) // 2])
            headers["Content-Length"] = str(len(body))
            if is_get and path.name in hub.breaks_off_once:
                hub.breaks_off_once.discard(path.name)
                body = body[: len(body) // 2]
                self.close_connection = True
            self._answer(status, headers, body)

        def _send_json(self, value: object) -> None:
            body = json.dumps(value).encode()
            self._answer(200, {"Content-Type": "application/json", "Content-Length": str(len(body))}, body)

        def _refuse(self, status: int, code: str, message: str) -> None:
            self._answer(
                status, {"X-Error-Code": code, "X-Error-Message": message, "Content-Length": "0"}, b""
            )

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

    return Handler


def _etag(path: Path) -> str:
    body = path.read_bytes()
    if path.suffix == ".safetensors":
        return hashlib.sha256(body).hexdigest()
    return hashlib.sha1(f"blob {len(body)}\0".encode() + body).hexdigest()


def _tree_entry(root: Path, path: Path) -> dict:
    size, etag = path.stat().st_size, _etag(path)
    entry = {"type": "file", "path": str(path.relative_to(root)), "size": size, "oid": etag}
    if path.suffix == ".safetensors":
        entry |= {"oid": "0" * 40, "lfs": {"oid": etag, "size": size, "pointerSize": 130}}
    return entry


def _info(hub: HubStandIn, repo: str) -> dict:
    siblings = []
    for path in hub.files(repo):
        entry = {"rfilename": str(path.relative_to(hub.root / repo)), "size": path.stat().st_size}
        if path.suffix == ".safetensors":
            entry["lfs"] = {"sha256": _etag(path), "size": entry["size"], "pointerSize": 130}
        siblings.append(entry | {"blobId": _etag(path)[:40]})
    return {
        "_id": "0" * 24,
        "id": repo,
        "modelId": repo,
        "sha": COMMIT,
        "private": False,
        "gated": "manual" if repo in hub.gated else False,
        "downloads": 0,
        "likes": 0,
        "tags": [],
        "cardData": {"license": "mit"},
        "siblings": siblings,
    }


def write_tiny_model(folder: Path, kind: str = "llama", has_chat_template: bool = True) -> None:
    """Save a random model of a real class with a byte-level tokenizer of 258 tokens made from scratch.

    Args:
        folder: Where to save it, as `save_pretrained` does.
        kind: llama, qwen2 or gpt2.
        has_chat_template: Whether its tokenizer knows roles.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import (
        GPT2Config,
        GPT2LMHeadModel,
        LlamaConfig,
        LlamaForCausalLM,
        PreTrainedTokenizerFast,
        Qwen2Config,
        Qwen2ForCausalLM,
    )

    alphabet = ["<|end|>", "<|turn|>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    bpe = Tokenizer(models.BPE({token: place for place, token in enumerate(alphabet)}, []))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token="<|end|>", additional_special_tokens=["<|turn|>"], model_max_length=48
    )
    if has_chat_template:
        tokenizer.chat_template = (
            "{% for message in messages %}<|turn|>{{ message['role'] }}\n{{ message['content'] }}<|end|>"
            "{% endfor %}{% if add_generation_prompt %}<|turn|>assistant\n{% endif %}"
        )
    torch_state = torch.get_rng_state()
    torch.manual_seed(0)
    sizes = {"vocab_size": len(alphabet), "bos_token_id": None, "eos_token_id": 0}
    if kind == "gpt2":
        model = GPT2LMHeadModel(GPT2Config(n_embd=16, n_layer=2, n_head=2, n_positions=64, **sizes))
    else:
        config_class, model_class = {
            "llama": (LlamaConfig, LlamaForCausalLM),
            "qwen2": (Qwen2Config, Qwen2ForCausalLM),
        }[kind]
        sizes |= {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2}
        sizes |= {"num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 64}
        model = model_class(config_class(**sizes))
    torch.set_rng_state(torch_state)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
