"""The one reader of input: files, folders, Kustomize, standard input, text."""
