"""What commands of the server's own machine do; `automatos.cli.machine` names each, and imports it when it is called.

They take plain values and give plain values back, which the command line words.
"""
