"""Settings are read as they are meant."""

from collections.abc import Callable

from runtime.settings import settings
from tasks.desk.sheets import full_sheet_link


def test_an_address_may_end_in_a_slash(home: object, configure: Callable[..., None]) -> None:
    configure(EZT_PUBLIC_URL="https://kq.example.cn/", EZT_CITY_GATEWAY__URL="https://city.example.cn/gateway/")
    assert full_sheet_link("YY-2026-000001") == "https://kq.example.cn/desk/YY-2026-000001"
    assert settings().city_gateway.url == "https://city.example.cn/gateway"
