"""What determines a run: an experiment and its parameters, as versioned JSON whose hash is the run's id."""

import base64
import binascii
import hashlib
import json
import re
import zlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

VERSION = 1
LIMIT_BYTES = 64 * 1024

_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Recipe:
    """Everything that determines a run.

    Args:
        experiment: The id of an experiment, a slug.
        params: Its parameters; values that JSON can hold. Tuples are kept as lists, so that a recipe equals
            the one read back from its JSON.
        version: The version of this format.

    Raises:
        ValueError: If a part is missing, of another type, not finite, or the whole exceeds 64 kB.

    >>> Recipe("demo", {"seed": 0}).to_json()
    '{"experiment":"demo","params":{"seed":0},"version":1}'
    """

    experiment: str
    params: dict[str, Any]
    version: int = VERSION

    def __post_init__(self) -> None:
        """Refuse what can't be written as JSON, and keep a copy of the rest as JSON would."""
        if isinstance(self.version, bool) or self.version != VERSION:
            raise ValueError(
                f"recipe version must be {VERSION}, got {self.version!r}; "
                "a newer recipe needs a newer version of the lab"
            )
        if not isinstance(self.experiment, str) or not _SLUG.fullmatch(self.experiment):
            raise ValueError(
                "recipe experiment must be an id of lower-case letters, digits, - and _, "
                f"got {str(self.experiment)[:80]!r}"
            )
        if not isinstance(self.params, dict) or not all(isinstance(key, str) for key in self.params):
            raise ValueError(f"recipe params must be an object with text keys, got {str(self.params)[:80]!r}")
        try:
            params = json.loads(json.dumps(self.params, allow_nan=False))
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"recipe params must be finite JSON values: {error}") from None
        object.__setattr__(self, "params", params)
        _check_size(self.to_json())

    def to_json(self) -> str:
        """Write the recipe in its one canonical form: sorted keys, no spaces, ASCII."""
        parts = {"experiment": self.experiment, "params": self.params, "version": self.version}
        return json.dumps(parts, sort_keys=True, separators=(",", ":"))

    @property
    def id(self) -> str:
        """Name the run: the first 12 hexadecimal digits of the SHA-256 of the canonical form."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]

    @classmethod
    def from_json(cls, text: str) -> "Recipe":
        """Read a recipe, trusting nothing.

        Raises:
            ValueError: If the text is over 64 kB, is not JSON, is not a recipe, or is of an unknown version.
        """
        _check_size(text)
        try:
            parts = json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
            raise ValueError(f"recipe must be JSON, as in recipe.json of an export: {reason}") from None
        if not isinstance(parts, dict):
            raise ValueError(f"recipe must be a JSON object, got {type(parts).__name__}")
        missing = {"experiment", "params", "version"} - parts.keys()
        unknown = parts.keys() - {"experiment", "params", "version"}
        if missing or unknown:
            raise ValueError(
                "recipe must have exactly the keys experiment, params and version"
                + (f"; missing: {', '.join(sorted(missing))}" if missing else "")
                + (f"; unknown: {', '.join(sorted(unknown))[:80]}" if unknown else "")
            )
        return cls(**parts)

    def to_link(self) -> str:
        """Write the recipe for a URL's query string, no longer than it must be.

        Returns:
            The canonical JSON, to be percent-encoded, while that is short; else base64url (unpadded) of its
            zlib compression.
        """
        text = self.to_json()
        packed = base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")
        return text if len(text) <= len(packed) else packed

    @classmethod
    def from_link(cls, text: str) -> "Recipe":
        """Read what `to_link` wrote, percent-encoded or not.

        Raises:
            ValueError: If the link is damaged, or unpacks to over 64 kB or to something other than a recipe.
        """
        text = text.strip()
        _check_size(text)
        if text[:3].upper() == "%7B":
            text = unquote(text)
        return cls.from_json(text if text.startswith("{") else _unpack(text))


def _unpack(text: str) -> str:
    remedy = "copy the whole link again"
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        unpacking = zlib.decompressobj()
        raw = unpacking.decompress(packed, LIMIT_BYTES + 1)  # bounded: a small link can unpack to gigabytes
        decoded = raw.decode()
    except (binascii.Error, zlib.error, ValueError) as error:
        raise ValueError(f"link must hold a packed recipe, got {text[:40]!r} ({error}); {remedy}") from None
    _check_size(decoded)
    if not unpacking.eof or unpacking.unused_data:
        raise ValueError(f"link must hold one whole recipe, got a cut or extended one; {remedy}")
    return decoded


def _check_size(text: str) -> None:
    n_bytes = len(text.encode(errors="surrogatepass"))
    if n_bytes > LIMIT_BYTES:
        raise ValueError(
            f"recipe must be at most {LIMIT_BYTES} bytes, got {n_bytes if n_bytes < 10**7 else 'far more'}; "
            "name a file in a parameter instead of holding its text"
        )


def _refuse_constant(name: str) -> float:
    raise ValueError(f"numbers must be finite, got {name}")
