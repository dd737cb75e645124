"""Parameters of database tables: in a file of their own, or in main.cf as `<name>_<key>` (MT-8..MT-12, MT-14, DN-3)."""

from __future__ import annotations

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


def table_names(value: str) -> list[tuple[str, str]]:
    """The (type, name) of every database table that a list names; `proxy:` and `debug:` are looked through."""
    found = []
    for word in value.replace(",", " ").replace("{", " ").replace("}", " ").split():
        kind, colon, name = word.partition(":")
        while colon and kind in ("proxy", "debug"):
            kind, colon, name = name.partition(":")
        if colon and kind in KEYS and name:
            found.append((kind, name))
    return found
