"""The parts of ``meshproof.pytest_plugin``, which pytest loads by that name. Cheap to import."""
