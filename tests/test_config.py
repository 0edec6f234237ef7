from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from tui import paths
from tui.commands.setup import known_actions
from tui.config import MAX_FILE, Config, find_config, load_config, parse_config
from tui.config_lines import key_lines, line_of
from tui.errors import ConfigError
from tui.market.names import Kind
from tui.providers import providers

FILE = Path("my.toml")


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, FILE)
    return str(caught.value).splitlines()


def uncommented() -> str:
    return re.sub(r"^#(?=[a-z\[])", "", paths.example_config(), flags=re.MULTILINE)


def fields_of(model: BaseModel) -> set[str]:
    return set(type(model).model_fields)


def test_the_example_is_only_comments_and_so_the_defaults() -> None:
    assert parse_config(paths.example_config(), FILE) == Config()


def test_the_example_uncommented_equals_the_defaults() -> None:
    assert parse_config(uncommented(), FILE) == Config()


def test_the_example_names_every_setting_of_the_program_and_of_every_provider() -> None:
    raw: dict[str, Any] = tomllib.loads(uncommented())
    config = Config()
    assert set(raw) == fields_of(config)
    assert set(raw["sources"]) == set(config.sources)
    assert set(raw["providers"]) == set(providers()) == {"aries", "insightsentry", "quantcite"}
    for name, settings in config.providers.items():
        assert set(raw["providers"][name]) == fields_of(settings), name


def test_every_setting_has_words_before_it_in_the_example() -> None:
    lines = paths.example_config().splitlines()
    for number, line in enumerate(lines):
        if re.match(r"#[a-z_]+ = ", line):
            words = [before for before in lines[:number] if not re.match(r"#[a-z_]+ = ", before)]
            assert words[-1].startswith(("# ", "#[")), line


def test_settings_of_a_file_replace_defaults_and_the_rest_stays(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        'frames_per_second = 5\nlog_level = "DEBUG"\n[watchlists]\ntech = ["aapl", "btc-usdt", "BTCUSDT"]\n'
        '[sources]\nbook = ["aries"]\n[symbols."btc-usdt"]\nquantcite = "BTC-USDT"\n'
        '[providers.quantcite]\nexchanges = "all"\n[keys]\nquit = "ctrl+q"\n'
    )
    file.chmod(0o600)
    config = load_config(file)
    assert config.frames_per_second == 5
    assert config.log_level == "debug"
    assert config.watchlists == {"tech": ("AAPL", "BTC/USDT")}
    assert config.watchlist == "tech"
    assert config.sources[Kind.BOOK] == ("aries",)
    assert config.sources[Kind.BAR] == ("insightsentry", "aries")
    assert config.codes("quantcite") == {"BTC/USDT": "BTC-USDT"}
    assert config.providers["quantcite"].model_dump()["exchanges"] == "all"
    assert config.providers["aries"] == Config().providers["aries"]
    assert config.keys == {"quit": "ctrl+q"}


def test_all_mistakes_are_said_at_once_in_the_order_of_the_file() -> None:
    said = mistakes(
        'theme = "tickdeck-drak"\n'
        "frams_per_second = 10\n"
        'frames_per_second = "x"\n'
        'watchlist = "mian"\n'
        "[watchlists]\n"
        'main = ["AAPL",\n'
        '  "!!!"]\n'
        "[sources]\n"
        'quotee = ["aries"]\n'
        'bar = ["arise"]\n'
        '[symbols."AAPL"]\n'
        'qantcite = "x"\n'
        "[providers.nope]\n"
        "[providers.aries]\n"
        "enabled = 3\n"
        "[keys]\n"
        'quit = "two words"\n'
    )
    assert said == [
        "my.toml:1: theme: no such theme, did you mean 'tickdeck-dark'?",
        "my.toml:2: frams_per_second: unknown key, did you mean 'frames_per_second'?",
        "my.toml:3: frames_per_second: should be a whole number",
        "my.toml:4: watchlist: no such watchlist, did you mean 'main'?",
        "my.toml:7: watchlists.main[1]: is not a symbol, try AAPL, BTC/USDT or NASDAQ:AAPL",
        "my.toml:9: sources.quotee: no such kind of data, did you mean 'quote'?",
        "my.toml:10: sources.bar[0]: no such provider, did you mean 'aries'?",
        "my.toml:12: symbols.AAPL.qantcite: no such provider, did you mean 'quantcite'?",
        "my.toml:13: providers.nope: no such provider",
        "my.toml:15: providers.aries.enabled: should be true or false",
        "my.toml:17: keys.quit: should be a key, such as ctrl+p",
    ]


@pytest.mark.fault("M68")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("frames_per_second = 31", "my.toml:1: frames_per_second: should be less than or equal to 30"),
        ("frames_per_second = 0", "my.toml:1: frames_per_second: should be greater than or equal to 1"),
        ('flash = "yes"', "my.toml:1: flash: should be true or false"),
        ('\nlog_level = "inf"', "my.toml:2: log_level: should be 'debug', 'info', 'warning' or 'error', "
         "did you mean 'info'?"),
        ("watchlists = 3", "my.toml:1: watchlists: should be a table"),
        ("[watchlists]", "my.toml:1: watchlists: should have at least 1 item"),
        ("providers = 3", "my.toml:1: providers: should be a table"),
        ("[providers]\naries = 3", "my.toml:2: providers.aries: should be a table"),
        ('ca_file = "/nowhere/x.pem"', "my.toml:1: ca_file: there is no such file"),
        ('proxy = "host:3128"', "my.toml:1: proxy: should look like http://host:port or socks5h://host:port"),
        ('[providers.insightsentry]\nkey = "rapid"', "my.toml:2: providers.insightsentry.key: should be 'direct', "
         "'rapidapi' or 'static', did you mean 'rapidapi'?"),
        ("[providers.quantcite]\nexchanges = [3]", "my.toml:2: providers.quantcite.exchanges[0]: "
         "should be a text in quotes"),
        ('[providers.aries]\nmarket_ulr = "x"', "my.toml:2: providers.aries.market_ulr: unknown key, "
         "did you mean 'market_url'?"),
        ("a = [1,\n2\n", "my.toml:2: Unclosed array at the end of the file"),
        ("theme = 'x'\nb = = 2\n", "my.toml:2: Invalid value"),
        ("theme = 'x'\ntheme = 'y'\n", "my.toml:2: Cannot overwrite a value"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_with_its_line_and_what_would_be_right(text: str, said: str) -> None:
    assert said in mistakes(text)


@pytest.mark.fault("M68")
@pytest.mark.parametrize(
    ("text", "line", "remedy"),
    [
        ('api_key = "S3CRET-VALUE"', 1, "tickdeck credentials set"),
        ('[providers.quantcite]\napi_key = "S3CRET-VALUE"', 2, "tickdeck credentials set quantcite --field api_key"),
        ('[providers.aries]\nAccessToken = "S3CRET-VALUE"', 2, "tickdeck credentials set aries"),
        ('[accounts.mine]\npassword = "S3CRET-VALUE"', 2, "tickdeck credentials set"),
        ('providers.aries = {refresh_token = "S3CRET-VALUE"}', 1, "set aries --field refresh_token"),
        ('[[hosts]]\nname = "x"\n[hosts.auth]\nsecret = "S3CRET-VALUE"', 4, "tickdeck credentials set"),
    ],
)
def test_a_key_that_looks_like_a_secret_is_refused_with_the_way_to_store_it(text: str, line: int, remedy: str) -> None:
    said = "\n".join(mistakes(text))
    assert re.search(rf"^my.toml:{line}: .*secrets do not belong in this file.*{re.escape(remedy)}", said, re.MULTILINE)
    assert "S3CRET" not in said


@pytest.mark.fault("S8")
def test_no_mistake_repeats_a_value() -> None:
    said = mistakes('theme = ["S3CRET"]\nlog_level = "S3CRET"\nflash = "S3CRET"\n[providers]\naries = "S3CRET"\n')
    assert len(said) == 4
    assert "S3CRET" not in "\n".join(said)


def test_names_the_user_chooses_may_look_like_secrets() -> None:
    config = parse_config('[watchlists]\ntoken = ["AAPL"]\n[keys]\ncredentials = "c"\n', FILE)
    assert config.watchlist == "token"
    assert config.keys == {"credentials": "c"}
    assert parse_config('[keys]\napp.credentials = "c"\n', FILE).keys == {"app.credentials": "c"}


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "127.9.9.9", "[::1]:80", "localhost:1"])
def test_an_address_without_encryption_is_fine_on_this_machine(host: str) -> None:
    text = f'[providers.aries]\nmarket_url = "ws://{host}/x"\nrest_url = "http://{host}"\n'
    assert parse_config(text, FILE).providers["aries"].model_dump()["market_url"] == f"ws://{host}/x"


@pytest.mark.fault("S5")
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ws://api.aries.com/x", "ws:// is not encrypted and allowed for this machine only; use wss://"),
        ("ws://127.0.0.1.example.com/x", "ws:// is not encrypted and allowed for this machine only; use wss://"),
        ("ws://127.0.0.1@example.com/x", "should hold no user, password or query"),
        ("wss://api.aries.com/x?token=abc", "should hold no user, password or query"),
        ("https://api.aries.com/x", "should start with wss://"),
        ("api.aries.com", "should be an address that starts with wss://"),
        ("wss://[::1/x", "is not an address"),
        ("wss://host:99999/x", "is not an address"),
        ("file:///etc/passwd", "should be an address that starts with wss://"),
    ],
)
def test_addresses_are_encrypted_and_hold_no_secret(url: str, said: str) -> None:
    (line,) = mistakes(f'[providers.aries]\nmarket_url = "{url}"\n')
    assert line.startswith(f"my.toml:2: providers.aries.market_url: {said}")


def test_http_is_refused_for_other_machines_too() -> None:
    (line,) = mistakes('[providers.aries]\nrest_url = "http://api.aries.com"\n')
    assert "http:// is not encrypted" in line


@pytest.mark.parametrize(
    "text", ['[keys]\napp.quit = "x"', '[keys]\n"app.quit" = "x"', '[keys.app]\nquit = "x"', 'keys.app = {quit = "x"}']
)
def test_keys_are_given_to_actions_in_every_way_toml_has_for_dots(text: str) -> None:
    assert parse_config(text, FILE, lambda: {"app.quit": "q"}).keys == {"app.quit": "x"}


def test_a_key_for_an_action_that_does_not_exist_is_a_mistake() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config('[keys]\napp.qiut = "x"\n"app.quit" = ""\napp.help = 3\n', FILE, known_actions)
    assert str(caught.value).splitlines() == [
        "my.toml:2: keys.app.qiut: no such action, did you mean 'app.quit'?",
        'my.toml:3: keys."app.quit": should be a key, such as ctrl+p',
        "my.toml:4: keys.app.help: should be a key, such as ctrl+p",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('app.quit = "p"', "my.toml:2: keys.app.quit: p already starts app.freeze;"),
        ('app.freeze = "x"', "my.toml:2: keys.app.freeze: x already starts quotes.remove;"),
        ('news.open = "p"', "my.toml:2: keys.news.open: p already starts app.freeze;"),
        ('bars.list = "y"\napp.quit = "y"', "my.toml:3: keys.app.quit: y already starts bars.list;"),
        ('app.quit = "y"\nbars.list = "y"', "my.toml:3: keys.bars.list: y already starts app.quit;"),
        ('app.quit = "y,?"', "my.toml:2: keys.app.quit: question_mark already starts app.help;"),
        ('book.mode = "-,$"', "my.toml:2: keys.book.mode: dollar_sign already starts book.cost;"),
    ],
)
def test_a_key_that_already_starts_something_there_is_a_mistake(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(f"[keys]\n{text}\n", FILE, known_actions)
    assert str(caught.value).startswith(said)
    assert "choose another key, or give" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        'app.freeze = "q"\napp.quit = "p"',
        'bars.list = "y"\nbook.mode = "y"',
        'bars.clear = "escape"',
        'app.quit = "q"',
        "",
    ],
)
def test_keys_may_be_swapped_shared_between_panes_and_left_as_they_are(text: str) -> None:
    parse_config(f"[keys]\n{text}\n", FILE, known_actions)


def test_a_proxy_with_a_password_is_refused_without_saying_it() -> None:
    (line,) = mistakes('proxy = "http://me:S3CRET@proxy:3128"')
    assert "https_proxy" in line
    assert "S3CRET" not in line


def test_empty_proxy_and_certificates_mean_none() -> None:
    config = parse_config('proxy = ""\nca_file = ""\n', FILE)
    assert config.proxy is None
    assert config.ca_file is None


def test_a_certificate_file_is_found_from_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "ca.pem").write_text("")
    assert parse_config('ca_file = "~/ca.pem"', FILE).ca_file == tmp_path / "ca.pem"


def test_the_file_is_the_chosen_one_else_that_of_the_environment_else_that_of_the_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("TICKDECK_CONFIG", raising=False)
    assert find_config() == tmp_path / "tickdeck" / "config.toml"
    monkeypatch.setenv("TICKDECK_CONFIG", "/etc/tickdeck.toml")
    assert find_config() == Path("/etc/tickdeck.toml")
    assert find_config(Path("x.toml")) == Path("x.toml")


def test_without_a_file_the_defaults_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("TICKDECK_CONFIG", raising=False)
    assert load_config() == Config()


def test_a_file_that_was_named_and_is_missing_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml: No such file"):
        load_config(tmp_path / "gone.toml")
    monkeypatch.setenv("TICKDECK_CONFIG", str(tmp_path / "gone.toml"))
    with pytest.raises(ConfigError, match=r"gone\.toml: No such file"):
        load_config()


@pytest.mark.fault("M68")
@pytest.mark.parametrize(
    ("data", "said"),
    [(b"theme = 'x'\n\xff\xfe", r":2: not UTF-8"), (b"#" * (MAX_FILE + 1), r"larger than 1024 KB")],
)
def test_what_is_no_text_file_is_said(tmp_path: Path, data: bytes, said: str) -> None:
    file = tmp_path / "c.toml"
    file.write_bytes(data)
    with pytest.raises(ConfigError, match=said):
        load_config(file)


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Is a directory"):
        load_config(tmp_path)


@pytest.mark.fault("M68", "S10")
@pytest.mark.parametrize(("mode", "warnings"), [(0o600, 0), (0o644, 0), (0o664, 1), (0o666, 1)])
def test_a_file_that_others_can_change_is_warned_about(tmp_path: Path, mode: int, warnings: int) -> None:
    file = tmp_path / "c.toml"
    file.write_text("")
    file.chmod(mode)
    said: list[str] = []
    load_config(file, warn=said.append)
    assert len(said) == warnings
    assert all("chmod go-w" in warning for warning in said)


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_bytes(b"\xef\xbb\xbfframes_per_second = 5\r\n[watchlists]\r\nmain = ['AAPL']\r\n")
    file.chmod(0o600)
    assert load_config(file).frames_per_second == 5


def test_providers_can_be_pointed_elsewhere_and_the_others_switched_off() -> None:
    config = Config().with_providers({"aries": {"rest_url": "http://127.0.0.1:1"}}, only=True)
    assert config.providers["aries"].model_dump()["rest_url"] == "http://127.0.0.1:1"
    assert config.providers["aries"].model_dump()["market_url"] == "wss://api.aries.com/v1/market/ws"
    assert {name: settings.enabled for name, settings in config.providers.items()} == {
        "aries": True, "insightsentry": False, "quantcite": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"aries": {"rest_url": "http://example.com"}}, "providers.aries.rest_url: http:// is not encrypted"),
        ({"aries": {"nope": 1}}, "providers.aries.nope: unknown key"),
        ({"nobody": {}}, "providers.nobody: no such provider"),
    ],
)
def test_settings_from_the_program_are_checked_like_those_of_a_file(settings: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        Config().with_providers(settings)


LINES = '''
top = 1            # 2
"a b".c = [        # 3
  1, [2, "]"],     # 4
  {x = 1, y.z = "}#"}, # 5
]
text = """
fake = 1
[fake]
"""                # 7 to 10
[t]                # 11
lit = \'\'\'
also = "fake\'\'\'\'\'
[t.'q.r'.s]        # 14
k = 1979-05-27T07:32:00Z # 15
[[list]]           # 16
v = 1
[[list]]           # 18
v = -1e5
[list.sub]         # 20
w = "\\"quoted\\" # no comment"
"\\u00e9" = true   # 22
'''


def test_lines_are_known_for_every_way_to_write_a_key() -> None:
    tomllib.loads(LINES)
    lines = key_lines(LINES)
    assert lines == {
        ("top",): 2, ("a b",): 3, ("a b", "c"): 3, ("a b", "c", 0): 4, ("a b", "c", 1): 4, ("a b", "c", 1, 0): 4,
        ("a b", "c", 1, 1): 4, ("a b", "c", 2): 5, ("a b", "c", 2, "x"): 5, ("a b", "c", 2, "y"): 5,
        ("a b", "c", 2, "y", "z"): 5, ("text",): 7, ("t",): 11, ("t", "lit"): 12, ("t", "q.r"): 14,
        ("t", "q.r", "s"): 14, ("t", "q.r", "s", "k"): 15, ("list",): 16, ("list", 0): 16, ("list", 0, "v"): 17,
        ("list", 1): 18, ("list", 1, "v"): 19, ("list", 1, "sub"): 20, ("list", 1, "sub", "w"): 21,
        ("list", 1, "sub", "é"): 22,
    }  # fmt: skip


def test_a_place_that_is_not_written_has_the_line_of_what_is_around_it() -> None:
    lines = key_lines("\n[t]\na = [1]")
    assert line_of(lines, ("t", "a", 7)) == 3
    assert line_of(lines, ("t", "gone")) == 2
    assert line_of(lines, ("gone",)) == 1


@pytest.mark.parametrize("text", ["a", "a =", "[", "a = [", 'a = "', "= 1", '"\\x" = 1', "]", "a = {b", "\0"])
def test_lines_of_what_is_no_toml_are_no_failure(text: str) -> None:
    key_lines(text)


@pytest.mark.fault("S10")
def test_private_files_are_replaced_whole_and_only_the_owner_can_read_them(tmp_path: Path) -> None:
    file = tmp_path / "new" / "f"
    paths.write_private(file, "one")
    paths.write_private(file, "two")
    assert file.read_text() == "two"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert os.listdir(file.parent) == ["f"]


@pytest.mark.fault("S10")
def test_a_private_file_behind_a_link_stays_behind_it(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    paths.write_private(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"
