//! EPP (RFC 5730 to 5734): commands out, answers in.
