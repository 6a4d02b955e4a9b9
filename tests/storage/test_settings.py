"""Settings are read as they are meant."""

from collections.abc import Callable

from runtime.settings import settings
from tasks.case.numbers import case_address


def test_an_address_may_end_in_a_slash(home: object, configure: Callable[..., None]) -> None:
    configure(EZT_PUBLIC_URL="https://kq.example.cn/", EZT_CITY_GATEWAY__URL="https://city.example.cn/gateway/")
    assert case_address("YY-2026-000001") == "https://kq.example.cn/desk/cases/YY-2026-000001"
    configure(EZT_DESK_URL="https://desk.kq.example.cn/")
    assert case_address("YY-2026-000001") == "https://desk.kq.example.cn/desk/cases/YY-2026-000001"
    assert settings().city_gateway.url == "https://city.example.cn/gateway"
