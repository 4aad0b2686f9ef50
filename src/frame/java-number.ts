/** The way the layers above write numbers as Java does. */
export { javaDouble, javaFloat } from "../data/java-number";
