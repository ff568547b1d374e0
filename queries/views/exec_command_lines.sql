-- The command lines of execs that were not denied, as patterns are compared with them: `code` as in command_lines, `secrets`
-- without parts that name public files, `downloads` without internal hosts and discarded output. `shows_nothing` is a
-- single program that tests whether a file exists: it prints no content.
SELECT
  *,
  -- A program that receives its key as an option uses it. Certificates, and the files next to the token of a service
  -- account, are not secret.
  regexp_replace(
    code,
    '(^|\s)(--?[\w-]*(key|cert|certificate|ca|cafile|kubeconfig|config|keystore|truststore|secret)(-?file|-?path|-?location)?|sslkey|sslcert|sslrootcert)[=\s]+\S+|\S*serviceaccount/(namespace|ca\.crt|service-ca\.crt)\b|\S*\b(ca|cacerts?|ca[-_]?bundle|ca-certificates|tls-ca-bundle|root|rootca|root-cert|cert|certs|certificate|chain|fullchain|cert-chain|dhparams?)\.(pem|jks)(\s|$)|/(etc/ssl/certs|etc/pki/(tls/certs|ca-trust)|usr/share/ca-certificates)/\S*\.pem\b',
    ' ', 'gi') AS secrets,
  regexp_replace(
    regexp_replace(
      regexp_replace(code, '\b(127\.\d+\.\d+\.\d+|10\.\d+\.\d+\.\d+|192\.168\.\d+\.\d+|172\.(1[6-9]|2\d|3[01])\.\d+\.\d+|169\.254\.\d+\.\d+|0\.0\.0\.0)\b', 'localhost', 'g'),
      -- A host without a dot, or with the name of a service, is internal. A number is an address.
      '\b(https?|ftp)://([^@/\s]*@)?(\[::1?\]|[a-z][\w-]*|\$\{?[\w-]+\}?|[\w.-]+\.(svc|local|internal|localdomain|lan))(:\d+)?(/\S*|\?\S*|[\s"'';|&)]|$)',
      ' ', 'gi'),
    '\s(-\w*o|-O|--output|--output-document)[=\s]*/dev/null(\s|$)|>\s*/dev/null(\s|$)|2>&1|\bwget\b[^|;&]*\s--spider(\s[^|;&]*|$)', ' ', 'g') AS downloads,
  coalesce(
    words[1] IN ('ls', 'stat', 'test', '[', 'readlink', 'realpath')
    OR words[1] IN ('wc', 'file') AND regexp_like(array_to_string(words, ' '), '^(wc|file) (-[bclLw]+ )*(/[\w.-]+)+$'), false) AS shows_nothing
FROM command_lines
WHERE source = 'exec' AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
