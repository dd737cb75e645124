"""Parameters of database tables: in a file of their own, or in main.cf as `<name>_<key>` (MT-8..MT-12, MT-14, DN-3)."""

from __future__ import annotations

from pytwfix.settings.lines import SPACE
from pytwfix.settings.mastercf import split_words, strip_braces

SEPARATORS = SPACE + ",\n"
_QUERY = "query domain result_format expansion_limit"
_OLD_SQL = "select_field table where_field additional_conditions"

_KEYS = {
    "ldap": """server_host server_port version scope search_base timeout query_filter result_format result_filter
        result_attribute leaf_result_attribute terminal_result_attribute special_result_attribute bind bind_dn bind_pw
        cache cache_expiry cache_size recursion_limit expansion_limit size_limit dereference chase_referrals sasl_mechs
        sasl_realm sasl_authz_id sasl_minssf start_tls tls_ca_cert_dir tls_ca_cert_file tls_cert tls_key
        tls_require_cert tls_random_file tls_cipher_suite debuglevel domain""",
    "mysql": f"""hosts user password dbname charset retry_interval idle_interval option_file option_group tls_cert_file
        tls_key_file tls_CAfile tls_CApath tls_ciphers tls_verify_cert require_result_set {_QUERY} {_OLD_SQL}""",
    "pgsql": f"""hosts user password dbname encoding select_function retry_interval idle_interval
        {_QUERY} {_OLD_SQL}""",
    "sqlite": f"dbpath {_QUERY} {_OLD_SQL}",
    "mongodb": """uri dbname collection query_filter projection result_attribute result_format domain
        expansion_limit""",
    "memcache": """memcache key_format key_digest timeout ttl flags retry_pause max_try line_size_limit data_size_limit
        backup domain""",
}
KEYS = {kind: frozenset(keys.split()) for kind, keys in _KEYS.items()}


def table_names(value: str, problems: list[str] | None = None) -> list[tuple[str, str]]:
    """The (type, name) of every database table that a list names, in braces too; `proxy:` is looked through.

    :param problems: what is wrong with braces is added to it.
    """
    found: list[tuple[str, str]] = []
    if ":" not in value and "{" not in value:
        return found
    for word in split_words(value, SEPARATORS):
        kind, name = _kind_and_name(word)
        if name.startswith("{"):
            inside, problem = strip_braces(name)
            if problem and problems is not None:
                problems.append(problem)
            found += table_names(inside, problems)
        elif kind in KEYS and name:
            found.append((kind, name))
    return found


def _kind_and_name(word: str) -> tuple[str, str]:
    if word.startswith("{"):
        return "", word
    kind, _colon, name = word.partition(":")
    while kind == "proxy" and name:
        kind, _colon, name = name.partition(":")
    return kind, name
