#!/bin/sh
# Makes the certificates of the tests, valid for a hundred years. They protect nothing: their keys are public.
set -eu
cd "$(dirname "$0")"
authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj "/CN=$1" \
        -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign' -keyout "$1.key" -out "$1.pem"
}
leaf() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr"
    printf 'subjectAltName=%s\nbasicConstraints=CA:FALSE\n' "$2" >"$1.ext"
    openssl x509 -req -in "$1.csr" -CA "$3.pem" -CAkey "$3.key" -CAcreateserial -days 36500 -extfile "$1.ext" -out "$1.pem"
    rm "$1.csr" "$1.ext" "$3.srl"
}
authority authority
authority stranger
leaf worker DNS:localhost,DNS:workers.test,IP:127.0.0.1 authority
leaf other DNS:localhost,IP:127.0.0.1 stranger
rm authority.key stranger.key
