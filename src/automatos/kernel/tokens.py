"""How many tokens a text is, before any model has counted them."""

BYTES_PER_TOKEN = 4
TOKEN_BASIS = "estimate: one token for every 4 bytes of UTF-8; the model's own count differs"  # noqa: S105


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a model makes of a text.

    Bytes rather than characters: English comes to the usual four letters a token, and scripts whose letters take
    three bytes to about one token a letter, as tokenizers have it.
    """
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)
