"""The wide placement: lanes side by side in many columns of bytes, one lane a row, one running fold and one sum."""
