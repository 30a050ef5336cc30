"""Hosts the operators of one node over the official package `dora-rs`."""
