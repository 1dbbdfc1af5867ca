"""Test support: real servers, fakes and helpers."""
