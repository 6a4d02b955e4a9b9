"""What an operator can set, once. Environment variables with the prefix ``EZT_``, or lines of ``<home>/ezt.env``."""

import os
import re
from collections.abc import Iterator
from functools import cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from pwd import getpwuid
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from runtime.contacts import Address
from runtime.refusals import RefusalError

Site = Annotated[str, AfterValidator(lambda url: url.rstrip("/"))]
"""An address to which paths are appended."""


def _is_password(given: SecretStr) -> SecretStr:
    """Prefect compares ASCII only, and a browser keeps nothing else; 12 characters are a rule of our own."""
    if not re.fullmatch(r"([!-~]{12,})?", given.get_secret_value()):
        raise ValueError("no password")
    return given


PrefectPassword = Annotated[SecretStr, AfterValidator(_is_password)]


class GatewaySettings(BaseModel):
    """One superior bureau's gateway; without ``url`` requests to this bureau go by letter."""

    url: Site = Field("", description="网关地址，至主机或前缀为止；空为书面发函")
    app_key: str = Field("", description="应用标识（appKey）")
    app_secret: SecretStr = Field(SecretStr(""), description="应用密钥（appSecret）")


class ZhelibanSettings(BaseModel):
    """The unified sign-on of Zheliban (浙里办); without ``url`` nobody can sign on with it."""

    url: Site = Field("", description="统一登录的地址，至主机或前缀为止，不含/sso/servlet/simpleauth")
    sign_in_url: str = Field(
        "",
        description="浙里办登录页的完整地址，登录后须带ticket回到public_url的/sign-in；空为只能从浙里办进入",
    )
    service_code: str = Field("", description="接入代码（servicecode）")
    service_password: SecretStr = Field(SecretStr(""), description="接入密码（servicepwd）")


class ZhezhengdingSettings(BaseModel):
    """The sign-on of Zhezhengding (浙政钉) for staff; without ``url`` nobody can sign on with it."""

    url: Site = Field("", description="开放平台的地址，至主机或前缀为止；空为不用")
    sign_in_url: str = Field("", description="登录页的完整地址，至/oauth2/auth.htm为止")
    app_key: str = Field("", description="应用标识（appKey），回调地址登记为desk_url的/desk/signed-on")
    app_secret: SecretStr = Field(SecretStr(""), description="应用密钥（appSecret）")


class Settings(BaseSettings):
    """All settings with their defaults; a single machine needs none of them set."""

    model_config = SettingsConfigDict(env_prefix="EZT_", env_nested_delimiter="__", extra="ignore")

    home: Path = Field(Path("var"), description="数据目录：数据库、密钥、邮件与日志")
    database_url: str = Field("", description="数据库地址；空为数据目录中的SQLite")
    data_keys: SecretStr = Field(SecretStr(""), description="数据加密密钥（32字节的Base64），逗号分隔，最新的在前")
    index_key: SecretStr = Field(SecretStr(""), description="盲索引密钥")
    seal_keys: SecretStr = Field(SecretStr(""), description="日志封存密钥（Ed25519，十六进制），逗号分隔，最新的在前")
    prefect_password: PrefectPassword = Field(
        SecretStr(""), description="Prefect的口令，至少12位字母、数字、符号；空则在首次启动时生成"
    )
    copy_key_file: str = Field(
        "", description="签存档副本的私钥文件（PEM，RSA）；与copy_chain_file都为空时用自制的试用证书"
    )
    copy_key_password: SecretStr = Field(SecretStr(""), description="copy_key_file的口令；空为没有口令")
    copy_chain_file: str = Field("", description="签存档副本的证书文件（PEM），签名证书在前，其后依次为颁发者")
    copy_trust_file: str = Field(
        "", description="更换下来的copy_chain_file，首尾相接，使以前出具的存档副本仍能识别；空为没有"
    )
    copy_font_folder: str = Field("", description="存档副本补充字库的文件夹，用于内置字库未收的字；空为不补充")
    one_time_codes: bool = Field(True, description="工作人员作决定时是否须填一次性验证码")

    public_url: Site = Field("http://127.0.0.1:4202", description="申请人访问本系统的地址，写入通知")
    desk_url: Site = Field("", description="工作人员访问工作台（/desk）的地址，写入提醒；空为public_url")
    desk_networks: list[IPv4Network | IPv6Network] = Field(
        default_factory=list, description='可以打开工作台的网段，写作JSON，如["10.33.0.0/16"]；空为不限'
    )
    interface_url: Site = Field("", description="模拟办事调用用证接口的地址；空为public_url")
    prefect_url: Site = Field("http://127.0.0.1:4200", description="工作人员访问Prefect界面的地址")
    web_port: int = Field(4202, ge=1, le=65535, description="网页与接口端口")
    prefect_port: int = Field(4200, ge=1, le=65535, description="Prefect界面端口")

    smtp_host: str = Field("", description="邮件服务器；空为投递到数据目录的mail文件夹")
    smtp_port: int = Field(25, ge=1, le=65535, description="邮件服务器端口")
    smtp_security: Literal["none", "starttls", "tls"] = Field(
        "none", description="邮件连接的加密方式：none、starttls或tls"
    )
    smtp_user: str = Field("", description="邮件服务器的用户名；空为不登录")
    smtp_password: SecretStr = Field(SecretStr(""), description="邮件服务器的口令")
    smtp_ca_file: str = Field("", description="邮件服务器证书的颁发者；空为系统信任的机构")
    smtp_connections: int = Field(4, ge=1, le=64, description="同时打开的邮件连接数")
    mail_from: Address = Field("ezt@kq.example.cn", description="发件地址")
    contact_phone: str = Field(
        "", description="本中心公布的咨询电话，写在每封通知的末尾；空为不写", pattern=r"^[0-9()（）、 +-]*$"
    )
    contact_address: str = Field(
        "", description="本中心公布的地址，写在每封通知的末尾；空为不写", pattern=r"^[^\x00-\x1f]*$"
    )

    report_to: list[Address] = Field(
        default_factory=list, description='监督报告除负责人外还发给的邮箱，写作JSON，如["qu@example.cn"]'
    )

    city_gateway: GatewaySettings = Field(default_factory=GatewaySettings, description="绍兴市大数据局网关")
    province_gateway: GatewaySettings = Field(default_factory=GatewaySettings, description="浙江省大数据局网关")
    gateway_mapping: str = Field("", description="核实需求接口的字段对照文件（JSON）；空为内置对照")
    certificate_mapping: str = Field("", description="证照查询接口的字段对照文件（JSON）；空为内置对照")
    messages_over: Literal["", "city", "province"] = Field(
        "", description="短信经哪个网关发出：city或province；空为不发短信，没有邮箱的一律邮寄"
    )
    message_mapping: str = Field("", description="短信接口的字段对照文件（JSON）；空为内置对照")
    zheliban: ZhelibanSettings = Field(default_factory=ZhelibanSettings, description="浙里办统一登录")
    zhezhengding: ZhezhengdingSettings = Field(default_factory=ZhezhengdingSettings, description="工作人员的浙政钉登录")
    virus_scanner: str = Field("", description="附件查毒命令，文件由标准输入给出，退出码0为无毒、1为有毒；空为不查")

    @property
    def desk(self) -> str:
        """Where staff find the desk: the site, before ``/desk``."""
        return self.desk_url or self.public_url


def table() -> str:
    """The Markdown table of the operator's guide: every setting as its environment variable, its default, what it is.

    A setting that is a group, such as a gateway, is a row for each of its parts.
    """
    rows = [f"| `{name}` | {_default(field)} | {what} |" for name, field, what in _each()]
    return "\n".join(["| 设置 | 默认 | 说明 |", "| --- | --- | --- |", *rows]) + "\n"


def _each() -> Iterator[tuple[str, FieldInfo, str]]:
    """Every setting, of a group its parts, as its environment variable, with what it is."""
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            for part, inner in field.annotation.model_fields.items():
                yield f"EZT_{name}__{part}".upper(), inner, f"{field.description}：{inner.description}"
        else:
            yield f"EZT_{name}".upper(), field, f"{field.description}"


def known_names() -> set[str]:
    """The environment variables that are read. A group may also be given in whole, as JSON."""
    return {name for name, _, _ in _each()} | {f"EZT_{name}".upper() for name in Settings.model_fields}


def given_names() -> set[str]:
    """The names with our prefix that stand in the environment or in the settings file, whether they are read or not."""
    sources = EnvSettingsSource(Settings), DotEnvSettingsSource(Settings, env_file=settings_file())
    return {name.upper() for source in sources for name in source.env_vars if name.upper().startswith("EZT_")}


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, bool):
        value = str(value).lower()
    return f"`{value}`" if value not in ("", []) else "空"


def prefect_access() -> dict[str, str]:
    """Prefect's own settings, as environment variables, by which its server asks for the password and all others name
    it. ``RefusalError`` where there is none: a server without would obey whoever reaches it."""
    password = settings().prefect_password.get_secret_value()
    if not password:
        raise RefusalError("没有设置Prefect口令EZT_PREFECT_PASSWORD，请运行 ezt migrate 生成；几台机器的须一致。")
    return {"PREFECT_SERVER_API_AUTH_STRING": password, "PREFECT_API_AUTH_STRING": password}


def settings_file() -> Path:
    """The file that holds what no environment variable says."""
    return Path(os.environ.get("EZT_HOME", "var")) / "ezt.env"


@cache
def settings() -> Settings:
    """The settings of this process, read once. Raises what ``read_settings`` raises."""
    return read_settings()


def read_settings() -> Settings:
    """The settings as they are now. ``RefusalError`` names what is wrong with them, never a value."""
    file = settings_file()
    try:
        return Settings(_env_file=file)
    except ValidationError as error:
        wrong = [_wrong(problem) for problem in error.errors(include_url=False, include_input=False)]
    except SettingsError as error:
        # Only the text of this error names the field.
        wrong = [f"EZT_{name}".upper() for name in re.findall(r'field "(\w+)"', str(error))]
    except UnicodeDecodeError:
        raise RefusalError(f"{file}不是UTF-8编码的文本，请另存为UTF-8后重试。") from None
    except PermissionError:
        raise RefusalError(_not_ours(file)) from None
    except OSError:
        raise RefusalError(f"{file}无法读取，请检查磁盘和EZT_HOME。") from None
    raise RefusalError(f"设置有误：{'、'.join(wrong)}；请改正环境变量或{file}后重试。")


def _not_ours(file: Path) -> str:
    """That a file is another user's, and whom it should be given to."""
    me = getpwuid(os.geteuid()).pw_name
    return (
        f"用户{me}不能读{file}：如果它属于另一用户，请以root运行 chown -R {me} {file.parent.absolute()}，"
        "或改以运行服务的用户运行本命令。"
    )


def _wrong(problem: ErrorDetails) -> str:
    """A setting that is wrong, with what a rule of ours says of it and the place in its list."""
    names = [part for part in problem["loc"] if isinstance(part, str)]
    places = [f"第{part + 1}项" for part in problem["loc"] if isinstance(part, int)]
    why = str(problem["ctx"]["error"]) if problem["type"] == "value_error" else ""
    return "".join([f"EZT_{'__'.join(names)}".upper(), *places, why])
