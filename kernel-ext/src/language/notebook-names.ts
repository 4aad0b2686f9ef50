import type ts from "typescript";
import type { CellUses } from "../messages";
import type { Compiler } from "./compiler";
import { nameUses } from "./name-uses";

/** What a cell's compiled code has to do with the notebook's names. */
export interface NotebookNames {
  /** Names of earlier cells that it uses, as the first step of compilation found them. */
  readonly earlier: ReadonlySet<string>;
  /** Imported names whose module may give them another value later. */
  readonly live: ReadonlySet<string>;
  /** Takes names that are no cell's. */
  readonly others?: Set<string>;
  /** Takes what the code begins with. */
  begin(prologue: string): void;
  /** Takes what the cell does with the names. */
  note(uses: CellUses): void;
}

/**
 * Keeps each name of a cell's top in one place that lives as long as the notebook (`runtime/names.ts`): `rate` compiles to
 * `__rate.now`, in its own cell as in later ones. So who declares it anew replaces it for all, and who fails before that
 * leaves it as it was. Runs first of all transforms, while the tree is the binder's.
 */
export function notebookNames(compiler: Compiler, names: NotebookNames): ts.TransformerFactory<ts.SourceFile> {
  const { factory, SyntaxKind } = compiler;
  return (context) => (file) => {
    const declared = declaredNames(file);
    const own = new Set([...declared, ...names.earlier]);
    const boxes = new Map([...own].map((name) => [name, boxName(file, name)]));
    /** Scopes between the cell's top and the node at hand. */
    const scopes: { has(name: ts.__String): boolean }[] = [];
    let hasOwnThis = false;
    const used = new Set<string>();
    const uses = nameUses(compiler, file);

    const isLocal = ({ escapedText }: ts.Identifier) => scopes.some((scope) => scope.has(escapedText));
    const isNotebooks = (name: ts.Identifier) => own.has(name.text) && !isLocal(name);

    const place = (name: string): ts.PropertyAccessExpression => {
      used.add(name);
      return factory.createPropertyAccessExpression(factory.createIdentifier(boxes.get(name) as string), VALUE);
    };
    const assign = (target: ts.Expression, value: ts.Expression, from: ts.Node) => {
      const assignment = factory.createAssignment(target, value);
      const isPattern = compiler.isObjectLiteralExpression(target);
      return at(
        factory.createExpressionStatement(isPattern ? factory.createParenthesizedExpression(assignment) : assignment),
        from,
      );
    };

    const within = <T>(scope: { has(name: ts.__String): boolean } | undefined, visitInside: () => T): T => {
      if (!scope) return visitInside();
      scopes.push(scope);
      try {
        return visitInside();
      } finally {
        scopes.pop();
      }
    };

    const visit = (node: ts.Node): ts.Node => {
      if (compiler.isIdentifier(node)) {
        if (!isReference(node)) return node;
        if (isNotebooks(node)) return reference(node);
        if (names.others && !isLocal(node) && !compiler.isTypeOfExpression(node.parent)) names.others.add(node.text);
        return node;
      }
      if (node.kind === SyntaxKind.ThisKeyword) return hasOwnThis ? node : at(nothing(), node);
      const named = ownName(node);
      return within(named && { has: (name) => name === named }, () =>
        within(compiler.localsOf(node), () => {
          const outer = hasOwnThis;
          hasOwnThis ||= bindsThis(node);
          try {
            return uses.within(node, () => visitNode(node));
          } finally {
            hasOwnThis = outer;
          }
        }),
      );
    };
    const visitAll = <T extends ts.Node>(node: T): T => visit(node) as T;
    const visitNode = (node: ts.Node): ts.Node => {
      if (compiler.isShorthandPropertyAssignment(node)) return visitShorthand(node);
      if (compiler.isVariableStatement(node) && isNotebooksList(node.declarationList)) {
        const expression = assignments(node.declarationList);
        return at(expression ? factory.createExpressionStatement(expression) : factory.createEmptyStatement(), node);
      }
      if (compiler.isVariableDeclarationList(node) && isNotebooksList(node)) {
        // The head of a loop.
        const [first] = node.declarations;
        const isEach = compiler.isForInStatement(node.parent) || compiler.isForOfStatement(node.parent);
        if (isEach && first) return at(targetOf(first.name), node);
        return assignments(node) ?? at(nothing(), node);
      }
      return compiler.visitEachChild(node, visit, context);
    };

    const reference = (node: ts.Identifier): ts.Expression => {
      uses.used(node);
      const value = at(place(node.text), node);
      if (!isCalled(node)) return value;
      const callee = factory.createParenthesizedExpression(factory.createComma(factory.createNumericLiteral(0), value));
      // V8 places a call at its arguments, for which the name's start is to stand.
      for (const part of [value, callee]) compiler.setEmitFlags(part, compiler.EmitFlags.NoTrailingSourceMap);
      return at(callee, node);
    };
    const visitShorthand = (node: ts.ShorthandPropertyAssignment): ts.Node => {
      if (!isNotebooks(node.name)) return compiler.visitEachChild(node, visit, context);
      const initial = node.objectAssignmentInitializer;
      uses.used(node.name);
      const value = at(place(node.name.text), node.name);
      const assigned = initial ? factory.createAssignment(value, named(node.name.text, initial)) : value;
      return at(factory.createPropertyAssignment(propertyName(node.name.text), assigned), node);
    };

    const isNotebooksList = ({ declarations }: ts.VariableDeclarationList) =>
      declarations.flatMap(({ name }) => bound(name)).some(isNotebooks);

    const assignments = ({ declarations }: ts.VariableDeclarationList): ts.Expression | undefined => {
      const made = declarations.flatMap((declaration) => {
        const { name, initializer } = declaration;
        return initializer
          ? [at(factory.createAssignment(targetOf(name), initialOf(name, initializer)), declaration)]
          : [];
      });
      const [first, ...others] = made as ts.Expression[];
      return first && others.reduce((all, each) => factory.createComma(all, each), first);
    };

    const targetOf = (name: ts.BindingName): ts.Expression => {
      if (compiler.isIdentifier(name)) return isNotebooks(name) ? at(place(name.text), name) : name;
      if (compiler.isArrayBindingPattern(name)) {
        return at(factory.createArrayLiteralExpression(name.elements.map((each) => elementOf(each))), name);
      }
      return at(factory.createObjectLiteralExpression(name.elements.map((each) => propertyOf(each))), name);
    };
    const withDefault = ({ name, initializer }: ts.BindingElement) => {
      const target = targetOf(name);
      return initializer ? factory.createAssignment(target, initialOf(name, initializer)) : target;
    };
    const elementOf = (element: ts.ArrayBindingElement): ts.Expression => {
      if (compiler.isOmittedExpression(element)) return element;
      return element.dotDotDotToken ? factory.createSpreadElement(targetOf(element.name)) : withDefault(element);
    };
    const propertyOf = (element: ts.BindingElement): ts.ObjectLiteralElementLike => {
      if (element.dotDotDotToken) return factory.createSpreadAssignment(targetOf(element.name));
      const key = element.propertyName
        ? visitAll(element.propertyName)
        : propertyName(bound(element.name)[0]?.text ?? "");
      return factory.createPropertyAssignment(key, withDefault(element));
    };

    const initialOf = (name: ts.BindingName, value: ts.Expression) =>
      compiler.isIdentifier(name) ? named(name.text, value) : visitAll(value);
    /** A function without a name gets the variable's, which an assignment to a property would not give it. */
    const named = (name: string, value: ts.Expression): ts.Expression => {
      const visited = visitAll(value);
      if (!isNameless(value)) return visited;
      const key = factory.createStringLiteral(name);
      const isPlain = name !== "__proto__";
      const property = isPlain ? propertyName(name) : factory.createComputedPropertyName(key);
      const holder = factory.createObjectLiteralExpression([factory.createPropertyAssignment(property, visited)]);
      return isPlain
        ? factory.createPropertyAccessExpression(holder, name)
        : factory.createElementAccessExpression(holder, key);
    };

    const declaredSoFar = new Set<string>();
    const functions: ts.Statement[] = [];
    const visitTop = (statement: ts.Statement): ts.Statement[] => {
      if (compiler.isImportDeclaration(statement)) return [statement, ...importedNames(statement)];
      // TypeScript's own exports: the names are.
      if (compiler.isExportDeclaration(statement) && !statement.moduleSpecifier) return [];
      if (compiler.isVariableStatement(statement)) return visitVariables(statement);
      if (compiler.isFunctionDeclaration(statement) && statement.name && isNotebooks(statement.name)) {
        const { name } = statement;
        functions.push(assign(place(name.text), functionOf(visitAll(statement)), statement));
        return [];
      }
      if (compiler.isClassDeclaration(statement) && statement.name && isNotebooks(statement.name)) {
        const { name } = statement;
        return [assign(place(name.text), classOf(visitAll(statement)), statement)];
      }
      // As `var` is there before its block.
      const inside = varsInside(statement).filter((name) => own.has(name) && !declaredSoFar.has(name));
      for (const name of inside) declaredSoFar.add(name);
      return [...inside.map((name) => assign(place(name), nothing(), statement)), visitAll(statement)];
    };

    const visitVariables = (statement: ts.VariableStatement): ts.Statement[] => {
      if (statement.modifiers?.some(({ kind }) => kind === SyntaxKind.ExportKeyword))
        return [lastExpression(statement)];
      const { declarationList } = statement;
      return declarationList.declarations.flatMap((declaration, i): ts.Statement[] => {
        const from = i === 0 ? statement : declaration;
        const names = bound(declaration.name);
        if (!names.some(isNotebooks)) {
          const list = factory.createVariableDeclarationList([visitAll(declaration)], declarationList.flags);
          return [at(factory.createVariableStatement(undefined, list), from)];
        }
        const { name, initializer } = declaration;
        const isAgain = names.some(({ text }) => declaredSoFar.has(text));
        for (const { text } of names) declaredSoFar.add(text);
        if (initializer) return [assign(targetOf(name), initialOf(name, initializer), from)];
        return isAgain ? [] : [assign(targetOf(name), nothing(), from)];
      });
    };

    /** tslab's `export const tsLastExpr = …`, without a function getting that for a name. */
    const lastExpression = (statement: ts.VariableStatement): ts.Statement => {
      const [declaration] = statement.declarationList.declarations;
      const { name, initializer } = declaration as ts.VariableDeclaration & { name: ts.Identifier };
      const target = factory.createPropertyAccessExpression(factory.createIdentifier("exports"), name.text);
      return assign(target, initializer ? visitAll(initializer) : nothing(), statement);
    };

    const importedNames = (statement: ts.ImportDeclaration): ts.Statement[] => {
      const { importClause, moduleSpecifier } = statement;
      const from = (moduleSpecifier as ts.StringLiteral).text;
      const imported = (name: ts.Identifier, exported: string) => {
        if (!own.has(name.text)) return [];
        // As a use of the import, which TypeScript makes a member of the module.
        const value = compiler.setOriginalNode(factory.createIdentifier(name.text), name);
        const given = names.live.has(name.text)
          ? factory.createArrowFunction(undefined, undefined, [], undefined, undefined, value)
          : value;
        const method = factory.createPropertyAccessExpression(
          place(name.text).expression,
          names.live.has(name.text) ? "followImport" : "takeImport",
        );
        const strings = [from, exported].map((text) => factory.createStringLiteral(text));
        return [
          factory.createExpressionStatement(factory.createCallExpression(method, undefined, [given, ...strings])),
        ];
      };
      if (!importClause) return [];
      const { name, namedBindings } = importClause;
      const own_ = name ? imported(name, "default") : [];
      if (!namedBindings) return own_;
      if (compiler.isNamespaceImport(namedBindings)) return [...own_, ...imported(namedBindings.name, "*")];
      return [
        ...own_,
        ...namedBindings.elements.flatMap((each) => imported(each.name, (each.propertyName ?? each.name).text)),
      ];
    };

    for (const statement of file.statements) {
      if (compiler.isFunctionDeclaration(statement) && statement.name) declaredSoFar.add(statement.name.text);
    }
    const rest = file.statements.flatMap(visitTop);
    // Keeps it a module.
    const marker = factory.createExportDeclaration(undefined, false, factory.createNamedExports([]));
    if (used.size > 0) names.begin(prologue([...declared], used, boxes));
    names.note(uses.all(declared));
    return factory.updateSourceFile(
      file,
      compiler.setTextRange(factory.createNodeArray([...functions, ...rest, marker]), file.statements),
    );
  };

  /** The cell's names that have values: those that tslab exports and the JavaScript declares. */
  function declaredNames(file: ts.SourceFile): ReadonlySet<string> {
    const locals = compiler.localsOf(file);
    const listed = file.statements.flatMap((statement) => {
      if (!compiler.isExportDeclaration(statement) || statement.moduleSpecifier) return [];
      const { exportClause } = statement;
      return exportClause && compiler.isNamedExports(exportClause)
        ? exportClause.elements.map(({ name }) => name as ts.Identifier)
        : [];
    });
    return new Set(listed.filter(({ escapedText }) => locals?.has(escapedText)).map(({ text }) => text));
  }

  function bound(name: ts.BindingName): ts.Identifier[] {
    if (compiler.isIdentifier(name)) return [name];
    return [...name.elements].flatMap((element) => (compiler.isBindingElement(element) ? bound(element.name) : []));
  }

  function varsInside(node: ts.Node): string[] {
    const found: string[] = [];
    const look = (inner: ts.Node): void => {
      if (compiler.isFunctionLike(inner) || compiler.isClassLike(inner)) return;
      if (compiler.isVariableDeclarationList(inner) && !(inner.flags & compiler.NodeFlags.BlockScoped)) {
        for (const { name } of inner.declarations) for (const { text } of bound(name)) found.push(text);
      }
      compiler.forEachChild(inner, look);
    };
    look(node);
    return found;
  }

  function isReference(node: ts.Identifier): boolean {
    const { parent } = node;
    if (compiler.isExportAssignment(parent)) return true;
    return compiler.isExpressionNode(node) && (parent as { name?: ts.Node }).name !== node;
  }

  /** True where a member would be called with its object as `this`. */
  function isCalled(node: ts.Node): boolean {
    const { parent } = node;
    if (compiler.isParenthesizedExpression(parent)) return isCalled(parent);
    if (compiler.isCallExpression(parent)) return parent.expression === node;
    return compiler.isTaggedTemplateExpression(parent) && parent.tag === node;
  }

  /** The name that a function or class has within itself. */
  function ownName(node: ts.Node): ts.__String | undefined {
    if (compiler.isFunctionExpression(node) || compiler.isClassLike(node)) return node.name?.escapedText;
    return undefined;
  }

  function bindsThis(node: ts.Node): boolean {
    return compiler.isClassLike(node) || (compiler.isFunctionLike(node) && !compiler.isArrowFunction(node));
  }

  function isNameless(value: ts.Expression): boolean {
    let inner = value;
    while (compiler.isParenthesizedExpression(inner)) inner = inner.expression;
    if (compiler.isArrowFunction(inner)) return true;
    return (compiler.isFunctionExpression(inner) || compiler.isClassExpression(inner)) && !inner.name;
  }

  function functionOf(node: ts.FunctionDeclaration): ts.Expression {
    const { modifiers, asteriskToken, name, parameters, body } = node;
    return at(
      factory.createFunctionExpression(
        modifiers?.filter((each) => each.kind === SyntaxKind.AsyncKeyword),
        asteriskToken,
        name,
        undefined,
        parameters,
        undefined,
        body as ts.Block,
      ),
      node,
    );
  }

  function classOf(node: ts.ClassDeclaration): ts.Expression {
    return at(factory.createClassExpression(undefined, node.name, undefined, node.heritageClauses, node.members), node);
  }

  function at<T extends ts.Node>(made: T, from: ts.Node): T {
    return compiler.setTextRange(made, from);
  }

  function nothing(): ts.Expression {
    return factory.createVoidZero();
  }

  function propertyName(name: string): ts.PropertyName {
    return factory.createIdentifier(name);
  }
}

/** The property of a place that holds its value. */
const VALUE = "now";

/** `__rate` for `rate`, unless the cell has that name already. */
function boxName(file: ts.SourceFile, name: string): string {
  const { identifiers } = file as unknown as { readonly identifiers: ReadonlyMap<string, string> };
  for (let i = 0; ; i++) {
    const made = i === 0 ? `__${name}` : `__${name}__${i}`;
    if (!identifiers.has(made)) return made;
  }
}

function prologue(declared: readonly string[], used: ReadonlySet<string>, boxes: ReadonlyMap<string, string>): string {
  const others = [...used].filter((name) => !declared.includes(name));
  const variables = [...declared, ...others].map((name, i) => `${boxes.get(name)} = __places__[${i}]`);
  const places = `__tslab__.names(${JSON.stringify(declared)}, ${JSON.stringify(others)})`;
  // No `const` and no pattern: V8 would look in each loop again whether they have their values.
  return `var __places__ = ${places}, ${variables.join(", ")};`;
}
