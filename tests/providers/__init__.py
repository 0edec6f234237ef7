import pytest

pytest.register_assert_rewrite("tests.providers.contract")  # its asserts speak for every codec
