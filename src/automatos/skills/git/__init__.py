"""Reading git repositories over https: no git program, no working copy, nothing that could run."""
