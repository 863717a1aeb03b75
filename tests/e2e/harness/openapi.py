# SPDX-License-Identifier: Apache-2.0
"""An OpenAPI file as a test wants it: which operation a request is, and whether what was said to it
and by it is what the file says."""

import json
import re

import jsonschema
import yaml

METHODS = ('get', 'post', 'put', 'patch', 'delete')


class Spec:
    def __init__(self, path):
        self.whole = yaml.safe_load(path.read_text())
        self.used = set()

    def operations(self):
        """(method, path) to operation."""
        return {(method.upper(), path): item[method] for path, item in self.whole['paths'].items()
                for method in METHODS if method in item}

    def find(self, method, path):
        """The operation of a request's path; a name in the file before a parameter."""
        fitting = [(pattern.count('{'), operation)
                   for (its, pattern), operation in self.operations().items()
                   if its == method and re.fullmatch(re.sub(r'\{\w+\}', '[^/]+', pattern), path)]
        return min(fitting, key=lambda one: one[0])[1] if fitting else None

    def _follow(self, node):
        while '$ref' in node:
            name = node['$ref']
            assert name.startswith('#/'), name
            node = self.whole
            for part in name[2:].split('/'):
                node = node[part]
        return node

    def _check(self, schema, value):
        jsonschema.validate(value, {**schema, 'components': self.whole['components']},
                            format_checker=jsonschema.draft7_format_checker)

    def check_body(self, method, path, body):
        operation = self.find(method, path)
        self._check(operation['requestBody']['content']['application/json']['schema'], body)

    def check_answer(self, method, path, answer):
        """answer: status, type, body. What the file doesn't know of fails."""
        operation = self.find(method, path)
        if operation is None:
            assert answer.status in (404, 405), (method, path, answer.status)
            responses = {'default': {'$ref': '#/components/responses/Problem'}}
        else:
            self.used.add(operation['operationId'])
            responses = operation['responses']
        response = self._follow(responses.get(str(answer.status)) or responses['default'])
        assert (str(answer.status) in responses) == (answer.status < 400), (path, answer.status)
        content = response['content'].get(answer.type)
        assert content, f'{method} {path}: {answer.status} has no {answer.type} in the file'
        if answer.type.endswith('json'):
            self._check(content['schema'], json.loads(answer.body))
