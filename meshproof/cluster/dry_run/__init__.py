"""Fake tools on which every command succeeds: what `meshproof plan` runs against."""
