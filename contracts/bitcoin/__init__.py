"""The network as a Bitcoin (SV) locking script: assembler, compiler, spending transactions, interpreters to check them."""
