"""The conformance tests of jupyter_kernel_test on the kernel that is installed as argv[1], each feature switched on.

`--list` prints their names; else each result is a line of JSON: {"test", "outcome", "detail"}.
"""

import json
import sys
import traceback
import unittest

import jupyter_kernel_test

# A machine that does much else takes longer than the package's quarter of a minute.
TIMEOUT = jupyter_kernel_test.TIMEOUT = 120


class PomonaTests(jupyter_kernel_test.KernelTests):
    kernel_name = sys.argv[1]
    language_name = "typescript"
    file_extension = ".ts"
    code_hello_world = 'console.log("hello, world");'
    code_stderr = 'console.error("to stderr");'
    completion_samples = [
        {"text": "Number.MAX_SAFE_IN", "matches": {"MAX_SAFE_INTEGER"}},
        {"text": "consol", "matches": {"console"}},
        {"text": "const abcDefg = 1;\nabcDef", "matches": {"abcDefg"}},
        {"text": "%%configur", "matches": {"%%configure"}},
        {"text": "Math."},
    ]
    complete_code_samples = [
        "1",
        "const x = 5;",
        "function f(n: number): number {\n  return n;\n}",
        "for (const i of [1, 2]) console.log(i);",
        "await Promise.resolve(1)",
        "// only a comment",
        'import { join } from "node:path";',
        "%%time\n1 + 1",
    ]
    incomplete_code_samples = [
        "function f(n: number) {",
        "const a = [1,",
        "`a template",
        "/* a comment",
        "if (true) {\n  console.log(1);",
        "f(",
        "const o = {",
    ]
    invalid_code_samples = ["const = 5;", "let 1x = 2;", ")", "a b c", "if (] {}"]
    code_page_something = "console?"
    code_generate_error = 'throw new RangeError("no such fruit");'
    code_execute_result = [
        {"code": "1 + 2 + 3", "result": "6"},
        {"code": '"a" + "b"', "result": "'ab'"},
        {"code": "[1, 2].map((x) => x * 2)", "result": "[ 2, 4 ]"},
        {"code": "await Promise.resolve({ a: 1 })", "result": "{ a: 1 }"},
        {"code": "new Map([[1, 'x']])", "result": "Map(1) { 1 => 'x' }"},
    ]
    code_display_data = [
        {"code": 'display({ "text/html": "<b>bold</b>", "text/plain": "bold" });', "mime": "text/html"},
        {"code": 'display({ "text/markdown": "**bold**" });', "mime": "text/markdown"},
        {"code": "%%html\n<b>bold</b>", "mime": "text/html"},
    ]
    supported_history_operations = ("tail", "range", "search")
    code_history_pattern = "1*2*"
    code_inspect_sample = "console.log"
    code_clear_output = 'import { clearOutput } from "pomona/notebook"; clearOutput();'

    def execute_helper(self, code, timeout=TIMEOUT, **options):
        # It waits a tenth of a second for each message on iopub.
        channel = self.kc.iopub_channel
        get_msg = channel.get_msg
        channel.get_msg = lambda timeout=None: get_msg(timeout=TIMEOUT)
        try:
            return super().execute_helper(code, timeout=timeout, **options)
        finally:
            del channel.get_msg

    def history_helper(self, execute_first, timeout=TIMEOUT, **options):
        return super().history_helper(execute_first, timeout=timeout, **options)


class PomonaWelcomeTests(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = sys.argv[1]
    support_iopub_welcome = True


class Outcomes(unittest.TestResult):
    def tell(self, test, outcome, detail=""):
        print(json.dumps({"test": test._testMethodName, "outcome": outcome, "detail": detail}), flush=True)

    def addSuccess(self, test):
        self.tell(test, "passed")

    def addSkip(self, test, reason):
        self.tell(getattr(test, "test_case", test), "skipped", reason)

    def addFailure(self, test, err):
        self.tell(test, "failed", "".join(traceback.format_exception(*err)))

    addError = addFailure

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.tell(test, "failed", f"{subtest._subDescription()}\n" + "".join(traceback.format_exception(*err)))


loader = unittest.TestLoader()
if "--list" in sys.argv:
    print(json.dumps([name for case in (PomonaTests, PomonaWelcomeTests) for name in loader.getTestCaseNames(case)]))
else:
    for case in (PomonaTests, PomonaWelcomeTests):
        loader.loadTestsFromTestCase(case).run(Outcomes())
