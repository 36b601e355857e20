from tools.bootstrap import in_words_of_uv, settings_of_pip

LISTING = """\
:env:.index-url='https://mirror.example/simple'
global.cert='/etc/ssl/ca.pem'
global.extra-index-url='\\nhttps://one.example/simple\\nhttps://two.example/simple'
global.timeout='60'
"""


def test_an_index_set_for_pip_is_asked_by_uv_too():
    words = in_words_of_uv(settings_of_pip(LISTING), uv_has_indexes=False)
    assert words == {
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "SSL_CERT_FILE": "/etc/ssl/ca.pem",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
    }


def test_an_index_set_for_uv_goes_before_pips():
    words = in_words_of_uv(settings_of_pip(LISTING), uv_has_indexes=True)
    assert words == {"SSL_CERT_FILE": "/etc/ssl/ca.pem"}


def test_the_environment_goes_before_the_files_of_pip():
    assert settings_of_pip("global.index-url='file'\n:env:.index-url='environment'") == {"index-url": "environment"}


def test_without_an_index_pip_asks_no_index_and_so_does_uv():
    words = in_words_of_uv({"no-index": "true", "index-url": "https://mirror.example", "find-links": "/wheels"}, False)
    assert words == {"UV_NO_INDEX": "1", "UV_FIND_LINKS": "/wheels"}
